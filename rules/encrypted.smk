"""The study `encrypted`: networks on encrypted images, by a client and a server that share files alone.

transform -> train -> keys -> encrypt -> infer -> decrypt -> measure: keys, encrypt and decrypt belong to the client, and
infer to the server, which is given no file of the client. Faces are those of results/data/faces.
"""

from scripts.encrypted.plan import Plan as EncryptedPlan

ENCRYPTED = config["encrypted"]
ENCRYPTED_PLAN = EncryptedPlan(ENCRYPTED)
ENCRYPTED_OUT = "results/encrypted"
ENCRYPTED_MEASURED = ["metrics", "comparisons", "settings", "costs", "noise", "logits"]
ENCRYPTED_MEASURED += ["efficiency", "published", "security", "picture"]
ENCRYPTED_TFHE = ENCRYPTED["tfhe"]
ENCRYPTED_COSTS = ["cost", "packings", "operations"]
ENCRYPTED_CHECKS = ["logits", "reconstruction", "reliability", "tfhe"]
ENCRYPTED_STEPS = ["keys", "encrypt", "infer", "decrypt"]
ENCRYPTED_SEED = ENCRYPTED["seeds"][0]  # of the networks that are run encrypted


localrules:
    encrypted_transform,
    encrypted_keys,
    encrypted_tfhe_gather,
    encrypted_draw,
    encrypted_checks_draw,
    encrypted_bench,


rule encrypted_transform:
    input:
        files=ENCRYPTED_PLAN.source_files,
        code=code("scripts/encrypted/encrypted_transform.py"),
    output:
        images=f"{ENCRYPTED_OUT}/data/{{dataset}}.npy",
        index=f"{ENCRYPTED_OUT}/data/{{dataset}}.parquet",
        numbers=f"{ENCRYPTED_OUT}/data/{{dataset}}.safetensors",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_transform/{{dataset}}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, ENCRYPTED_PLAN.datasets)),
    priority: 1_000_000  # short, and all else waits for it
    conda:
        "../envs/torch.yaml"
    params:
        chosen=ENCRYPTED_PLAN.image_settings,
        settings=lambda wildcards: ENCRYPTED_PLAN.datasets[wildcards.dataset]["settings"],
        content=lambda wildcards: contents_of(ENCRYPTED_PLAN.users_files(wildcards)),
    script:
        "../scripts/encrypted/encrypted_transform.py"


rule encrypted_train:
    input:
        images=rules.encrypted_transform.output.images,
        index=rules.encrypted_transform.output.index,
        numbers=rules.encrypted_transform.output.numbers,
        code=code("scripts/encrypted/encrypted_train.py"),
    output:
        networks=f"{ENCRYPTED_OUT}/models/{{dataset}}.safetensors",
        predictions=f"{ENCRYPTED_OUT}/predictions/{{dataset}}.parquet",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_train/{{dataset}}.log",
    benchmark:
        f"{ENCRYPTED_OUT}/benchmarks/encrypted_train/{{dataset}}.tsv"
    priority: 100_000
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        chosen=ENCRYPTED_PLAN.trained,
    script:
        "../scripts/encrypted/encrypted_train.py"


rule encrypted_keys:
    input:
        code=code("scripts/encrypted/encrypted_keys.py"),
    output:
        client=temp(f"{ENCRYPTED_OUT}/client/{{parcel}}/client.context"),
        server=temp(f"{ENCRYPTED_OUT}/exchange/{{parcel}}/server.context"),
        costs=f"{ENCRYPTED_OUT}/costs/{{parcel}}/keys.json",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_keys/{{parcel}}.log",
    wildcard_constraints:
        parcel="|".join(map(re.escape, ENCRYPTED_PLAN.parcels)),
    priority: 500_000  # short; without them the longest parcel could come last
    conda:
        "../envs/encrypted.yaml"
    params:
        parameters=ENCRYPTED_PLAN.parameters,
        packing=ENCRYPTED_PLAN.packing,
    script:
        "../scripts/encrypted/encrypted_keys.py"


rule encrypted_encrypt:
    input:
        client=rules.encrypted_keys.output.client,
        public=rules.encrypted_keys.output.server,
        index=ENCRYPTED_PLAN.of_parcel(rules.encrypted_transform.output.index),
        numbers=ENCRYPTED_PLAN.of_parcel(rules.encrypted_transform.output.numbers),
        networks=ENCRYPTED_PLAN.of_parcel(rules.encrypted_train.output.networks),
        code=code("scripts/encrypted/encrypted_encrypt.py"),
    output:
        sent=temp(f"{ENCRYPTED_OUT}/exchange/{{parcel}}/sent.bin"),
        about=temp(f"{ENCRYPTED_OUT}/exchange/{{parcel}}/sent.json"),
        costs=f"{ENCRYPTED_OUT}/costs/{{parcel}}/encrypt.json",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_encrypt/{{parcel}}.log",
    benchmark:
        f"{ENCRYPTED_OUT}/benchmarks/encrypted_encrypt/{{parcel}}.tsv"
    priority: ENCRYPTED_PLAN.priority
    conda:
        "../envs/encrypted.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        settings=ENCRYPTED_PLAN.parcel_settings,
        parameters=ENCRYPTED_PLAN.parameters,
        packing=ENCRYPTED_PLAN.packing,
        most=ENCRYPTED_PLAN.most_images,
        seed=ENCRYPTED_SEED,
    script:
        "../scripts/encrypted/encrypted_encrypt.py"


rule encrypted_infer:
    input:
        public=rules.encrypted_keys.output.server,
        sent=rules.encrypted_encrypt.output.sent,
        about=rules.encrypted_encrypt.output.about,
        networks=ENCRYPTED_PLAN.of_parcel(rules.encrypted_train.output.networks),
        code=code("scripts/encrypted/encrypted_infer.py"),
    output:
        reply=temp(f"{ENCRYPTED_OUT}/exchange/{{parcel}}/reply.bin"),
        about=temp(f"{ENCRYPTED_OUT}/exchange/{{parcel}}/reply.json"),
        costs=f"{ENCRYPTED_OUT}/costs/{{parcel}}/infer.json",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_infer/{{parcel}}.log",
    benchmark:
        f"{ENCRYPTED_OUT}/benchmarks/encrypted_infer/{{parcel}}.tsv"
    priority: ENCRYPTED_PLAN.priority
    conda:
        "../envs/encrypted.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        settings=ENCRYPTED_PLAN.parcel_settings,
        parameters=ENCRYPTED_PLAN.parameters,
        packing=ENCRYPTED_PLAN.packing,
        seed=ENCRYPTED_SEED,
    script:
        "../scripts/encrypted/encrypted_infer.py"


rule encrypted_decrypt:
    input:
        client=rules.encrypted_keys.output.client,
        public=rules.encrypted_keys.output.server,
        reply=rules.encrypted_infer.output.reply,
        about=rules.encrypted_infer.output.about,
        index=ENCRYPTED_PLAN.of_parcel(rules.encrypted_transform.output.index),
        networks=ENCRYPTED_PLAN.of_parcel(rules.encrypted_train.output.networks),
        code=code("scripts/encrypted/encrypted_decrypt.py"),
    output:
        logits=f"{ENCRYPTED_OUT}/decrypted/{{parcel}}.parquet",
        costs=f"{ENCRYPTED_OUT}/costs/{{parcel}}/decrypt.json",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_decrypt/{{parcel}}.log",
    benchmark:
        f"{ENCRYPTED_OUT}/benchmarks/encrypted_decrypt/{{parcel}}.tsv"
    priority: 100_000
    conda:
        "../envs/encrypted.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        settings=ENCRYPTED_PLAN.parcel_settings,
        parameters=ENCRYPTED_PLAN.parameters,
        packing=ENCRYPTED_PLAN.packing,
        seed=ENCRYPTED_SEED,
    script:
        "../scripts/encrypted/encrypted_decrypt.py"


rule encrypted_measure:
    input:
        images=expand(rules.encrypted_transform.output.images, dataset=ENCRYPTED_PLAN.datasets),
        index=expand(rules.encrypted_transform.output.index, dataset=ENCRYPTED_PLAN.datasets),
        numbers=expand(rules.encrypted_transform.output.numbers, dataset=ENCRYPTED_PLAN.datasets),
        networks=expand(rules.encrypted_train.output.networks, dataset=ENCRYPTED_PLAN.datasets),
        predictions=expand(
            rules.encrypted_train.output.predictions, dataset=ENCRYPTED_PLAN.datasets
        ),
        logits=expand(rules.encrypted_decrypt.output.logits, parcel=ENCRYPTED_PLAN.parcels),
        costs=expand(
            f"{ENCRYPTED_OUT}/costs/{{parcel}}/{{step}}.json",
            parcel=ENCRYPTED_PLAN.parcels,
            step=ENCRYPTED_STEPS,
        ),
        published=os.path.relpath(ROOT / "scripts/encrypted/published.yaml"),
        code=code("scripts/encrypted/encrypted_measure.py"),
    output:
        **{name: f"{ENCRYPTED_OUT}/{name}.parquet" for name in ENCRYPTED_MEASURED},
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_measure.log",
    benchmark:
        f"{ENCRYPTED_OUT}/benchmarks/encrypted_measure.tsv"
    conda:
        "../envs/encrypted.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        datasets=ENCRYPTED_PLAN.measured,
        seeds=ENCRYPTED["seeds"],
        parcels=ENCRYPTED_PLAN.about_parcels,
        networks=ENCRYPTED["networks"],
    script:
        "../scripts/encrypted/encrypted_measure.py"


if ENCRYPTED_TFHE["run"]:

    rule encrypted_tfhe_environment:
        input:
            lock=os.path.relpath(ROOT / "envs/tfhe.txt"),
            code=code("scripts/encrypted/tfhe_environment.py"),
        output:
            f"{ENCRYPTED_OUT}/tfhe/environment.json",
        log:
            f"{ENCRYPTED_OUT}/logs/encrypted_tfhe_environment.log",
        retries: 2
        localrule: True
        conda:
            "../envs/torch.yaml"
        params:
            folder=os.path.expanduser(ENCRYPTED_TFHE["folder"]),
        script:
            "../scripts/encrypted/tfhe_environment.py"

    rule encrypted_tfhe_train:
        input:
            images=f"results/data/mnist/{ENCRYPTED['data']['source']}.npy",
            index=f"results/data/mnist/{ENCRYPTED['data']['source']}.parquet",
            code=code("scripts/encrypted/tfhe_train.py"),
        output:
            weights=f"{ENCRYPTED_OUT}/tfhe/networks.npz",
            about=f"{ENCRYPTED_OUT}/tfhe/networks.json",
        log:
            f"{ENCRYPTED_OUT}/logs/encrypted_tfhe_train.log",
        benchmark:
            f"{ENCRYPTED_OUT}/benchmarks/encrypted_tfhe_train.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            nets=ENCRYPTED_TFHE["nets"],
            epochs=ENCRYPTED_TFHE["epochs"],
            test_images=ENCRYPTED_PLAN.tfhe_images,
        script:
            "../scripts/encrypted/tfhe_train.py"

    # By `shell`, with the Python of the environment above; `script` would start the workflow's.
    rule encrypted_tfhe_infer:
        input:
            environment=rules.encrypted_tfhe_environment.output,
            weights=rules.encrypted_tfhe_train.output.weights,
            about=rules.encrypted_tfhe_train.output.about,
            code=code("scripts/encrypted/tfhe_infer.py"),
            child=os.path.relpath(ROOT / "scripts/encrypted/tfhe/measure.py"),
            child_code=code("scripts/encrypted/tfhe/measure.py"),
        output:
            f"{ENCRYPTED_OUT}/tfhe/results.json",
        log:
            f"{ENCRYPTED_OUT}/logs/encrypted_tfhe_infer.log",
        benchmark:
            f"{ENCRYPTED_OUT}/benchmarks/encrypted_tfhe_infer.tsv"
        conda:
            "../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=growing(8000),
            runtime=growing(240),
        params:
            settings=ENCRYPTED_PLAN.tfhe_settings,
            folder=rules.encrypted_tfhe_environment.params.folder,
            root=str(ROOT),
        shell:
            "PYTHONPATH={params.root:q} {params.folder:q}/bin/python -P"
            " {params.root:q}/scripts/encrypted/tfhe_infer.py --settings {params.settings:q}"
            " --in {input.about:q} --weights {input.weights:q} --environment {input.environment:q}"
            " --out {output:q} --log {log:q}"


rule encrypted_tfhe_gather:
    input:
        result=f"{ENCRYPTED_OUT}/tfhe/results.json" if ENCRYPTED_TFHE["run"] else [],
        code=code("scripts/encrypted/tfhe_gather.py"),
    output:
        f"{ENCRYPTED_OUT}/tfhe.parquet",
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_tfhe_gather.log",
    conda:
        "../envs/tabular.yaml"
    params:
        run=ENCRYPTED_TFHE["run"],
    script:
        "../scripts/encrypted/tfhe_gather.py"


rule encrypted_draw:
    input:
        **{name: gathered("encrypted", name) for name in [*ENCRYPTED_MEASURED, "tfhe"]},
        html=html_files("encrypted/html"),
        code=code("scripts/encrypted/encrypted_draw.py"),
    output:
        figures=figure_files("encrypted", *ENCRYPTED_COSTS),
        tables=table_files(
            "encrypted", "equal_cost", "packings", "reliability", "published", "security", "tfhe"
        ),
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_draw.log",
    conda:
        "../envs/encrypted.yaml"
    params:
        shown=[*ENCRYPTED_MEASURED, "tfhe"],
        figures=ENCRYPTED_COSTS,
    script:
        "../scripts/encrypted/encrypted_draw.py"


rule encrypted_checks_draw:
    input:
        **{name: gathered("encrypted", name) for name in [*ENCRYPTED_MEASURED, "tfhe"]},
        code=code("scripts/encrypted/encrypted_checks_draw.py"),
    output:
        figure_files("encrypted", *ENCRYPTED_CHECKS),
    log:
        f"{ENCRYPTED_OUT}/logs/encrypted_checks_draw.log",
    conda:
        "../envs/encrypted.yaml"
    params:
        shown=[*ENCRYPTED_MEASURED, "tfhe"],
        figures=ENCRYPTED_CHECKS,
    script:
        "../scripts/encrypted/encrypted_checks_draw.py"


rule encrypted_all_data:
    input:
        ENCRYPTED_PLAN.shared_files,


rule encrypted_all_predictions:
    input:
        expand(rules.encrypted_train.output.predictions, dataset=ENCRYPTED_PLAN.datasets),


rule encrypted_all_models:
    input:
        expand(rules.encrypted_train.output.networks, dataset=ENCRYPTED_PLAN.datasets),


rule encrypted_bench:
    input:
        code=code("scripts/encrypted/bench.py"),
    output:
        parquet="results/bench/encrypted.parquet",
        table=multiext("results/bench/encrypted", ".csv", ".md", ".tex"),
    log:
        "results/bench/logs/encrypted.log",
    conda:
        "../envs/encrypted.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    script:
        "../scripts/encrypted/bench.py"
