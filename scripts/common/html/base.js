"use strict";

// The page's data block, as Python gave it.
function pageData() {
  return JSON.parse(document.getElementById("data").textContent);
}

// A new element at the end of `parent`. Text is text, never markup; a tag "svg:circle" is one of SVG.
function element(tag, text, parent, attributes = {}) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}
