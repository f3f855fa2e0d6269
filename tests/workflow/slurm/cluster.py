"""A real Slurm of one node, started by hand on loopback: munged, slurmctld, slurmd; no systemd, no database."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")  # the executor plugin drops SLURM_CONF, so it must lie here
DEVICES = CONFIGURATION.with_name("gres.conf")
PROGRAMS = ["setpriv", "munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "sinfo", "squeue", "scancel"]
CPUS, MEMORY = 32, 64_000  # what the node says that it has, MiB; nothing enforces either
MARK = "# One node for the tests of Counterweight, process"
STATES = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL"}

SLURM_CONF = """\
{mark} {pid}
ClusterName=onenode
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge/socket,cred_expire=20
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd.pid
StateSaveLocation={state}/state
SlurmdSpoolDir={state}/spool
SlurmctldLogFile={state}/slurmctld.log
SlurmdLogFile={state}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MinJobAge=3600
KillWait=2
OverTimeLimit=0
SlurmdTimeout=20
SchedulerParameters=sched_interval=2,batch_sched_delay=0,requeue_delay=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=localhost Default=YES MaxTime=1440 State=UP
PartitionName=gpu Nodes=localhost MaxTime=1440 State=UP
"""


def missing() -> str:
    """Return why no Slurm can be started here, or an empty string."""
    if absent := [program for program in PROGRAMS if not find(program)]:
        return f"Debian's slurm-wlm and munge are not installed (no {', '.join(absent)})"
    if os.geteuid() != 0:
        return "only root can start Slurm's daemons"
    if CONFIGURATION.exists():
        first = CONFIGURATION.read_text(encoding="utf-8").partition("\n")[0]
        if not first.startswith(MARK):
            return f"{CONFIGURATION} exists: this machine belongs to a cluster"
        if Path(f"/proc/{first.split()[-1]}").exists():
            return "another session of these tests has its Slurm running"
    return ""


def find(program: str) -> str | None:
    """Return the path of a program, which may lie where only root looks."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    """One node with a pretend GPU (the null device), all state below `state`; it stops what it started."""

    def __init__(self, state: Path):
        self.state = state
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Start the three daemons and wait until the node is idle.

        Raises:
            RuntimeError: the node is not idle after half a minute; the message holds the daemons' logs.
        """
        for name in ("munge", "state", "spool"):
            (self.state / name).mkdir(mode=0o755)
        key = self.state / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        places = {"mark": MARK, "pid": os.getpid(), "state": self.state, "cpus": CPUS, "memory": MEMORY}
        self.watch()
        CONFIGURATION.write_text(
            SLURM_CONF.format(**places, controller=free_port(), node=free_port()), encoding="utf-8"
        )
        DEVICES.write_text("NodeName=localhost Name=gpu File=/dev/null\n", encoding="utf-8")
        files = {"key-file": key, "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={self.state / 'munge' / name}" for option, name in files.items()]
        self.launch("munged", "--foreground", *options)
        self.wait(lambda: (self.state / "munge/socket").exists(), 30)
        self.launch("slurmctld", "-D")
        self.start_node()
        self.wait(lambda: self.node_state() == "idle", 30)

    def watch(self) -> None:
        """Have both files removed even when the tests are killed: a leftover makes every Snakemake wait for nobody."""
        remove = f"trap 'rm -f {CONFIGURATION} {DEVICES}; kill $!; exit' TERM; sleep infinity & wait"
        self.daemons["watch"] = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "sh", "-c", remove], stdin=subprocess.DEVNULL, start_new_session=True
        )

    def start_node(self) -> None:
        """Start slurmd, once more if it was killed."""
        self.launch("slurmd", "-D", "-N", "localhost")

    def launch(self, program: str, *arguments: str) -> None:
        """Start a daemon in a session of its own: it ends when the tests end, even by a kill."""
        with (self.state / f"{program}.out").open("a", encoding="utf-8") as out:
            self.daemons[program] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", find(program), *arguments],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill_node(self) -> None:
        """Kill slurmd and the daemons of its job steps, as a lost node would."""
        steps = [pid for pid in self.step_daemons() if pid != self.daemons["slurmd"].pid]
        for pid in [self.daemons["slurmd"].pid, *steps]:
            os.kill(pid, signal.SIGKILL)
        self.daemons["slurmd"].wait()

    def step_daemons(self) -> list[int]:
        """Return the ids of the slurmstepd processes of this cluster's jobs, read from their command lines."""
        jobs = self.jobs()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words.startswith("slurmstepd: [") and words.split("[")[1].split(".")[0].split("]")[0] in jobs:
                found.append(int(process.name))
        return found

    def stop(self) -> None:
        """Cancel what still runs, stop the daemons by their ids and remove the files that `start` wrote."""
        if "slurmctld" in self.daemons and self.daemons["slurmctld"].poll() is None:
            self.call("scancel", "--signal=KILL", "--full", f"--user={os.getuid()}")
            self.call("scancel", f"--user={os.getuid()}")
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and any(state not in STATES for state in self.jobs().values()):
                time.sleep(0.2)
        for program in ("slurmd", "slurmctld", "munged", "watch"):
            if (daemon := self.daemons.get(program)) and daemon.poll() is None:
                daemon.terminate()
                try:
                    daemon.wait(10)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        DEVICES.unlink(missing_ok=True)
        CONFIGURATION.unlink(missing_ok=True)

    def call(self, program: str, *arguments: str) -> str:
        """Run one of Slurm's commands and return what it prints."""
        result = subprocess.run(
            [find(program), *arguments], capture_output=True, text=True, timeout=60, encoding="utf-8"
        )
        return result.stdout + result.stderr

    def jobs(self) -> dict[str, str]:
        """Return the state of every job that the controller remembers, by job id."""
        lines = self.call("squeue", "--noheader", "--states=all", "--array", "--format=%A|%T").splitlines()
        return dict(line.split("|", 1) for line in lines if "|" in line)

    def running(self, rule: str) -> list[str]:
        """Return the ids of the running jobs of a rule (the plugin writes the rule into the job's comment)."""
        lines = self.call("squeue", "--noheader", "--states=RUNNING", "--array", "--format=%A|%k").splitlines()
        return [line.split("|")[0] for line in lines if f"rule_{rule}" in line]

    def node_state(self) -> str:
        """Return the state of the node in one word."""
        return self.call("sinfo", "--noheader", "--partition=cpu", "--format=%t").strip()

    def wait(self, condition, seconds: float):
        """Wait until a condition is true, and return its value.

        Raises:
            RuntimeError: it did not become true; the message holds the last lines of the daemons' logs.
        """
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                logs = [*self.state.glob("*.log"), *self.state.glob("*.out"), self.state / "munge/log"]
                texts = {log: log.read_text(encoding="utf-8") for log in logs if log.exists()}
                tails = "\n".join(f"{log}:\n{text[-1500:]}" for log, text in texts.items())
                raise RuntimeError(f"not within {seconds} s; {self.jobs()}\n{tails}")
            time.sleep(0.2)
        return value
