"""The study `encrypted`: inference on encrypted images in the frequency domain."""
