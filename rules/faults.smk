"""Fault-injection tests and their table: `make faults`, not part of `all`."""


localrules:
    faults,


rule faults:
    input:
        tests=sorted(os.path.relpath(path) for path in ROOT.glob("tests/workflow/**/*.py")),
        code=code("scripts/report/faults.py"),
    output:
        multiext("results/faults/faults", ".csv", ".md", ".tex"),
    log:
        "results/faults/logs/faults.log",
    conda:
        "../envs/report.yaml"
    threads: 2
    resources:
        mem_mb=growing(8000),
        runtime=growing(60),
    params:
        root=str(ROOT),
    script:
        "../scripts/report/faults.py"
