"""What stands in `deploy/` is what the binary understands.

Nothing is deployed. The manifest is read as YAML, and every command of ours in it, and in the units of systemd, is given to
the binary's own parser: `--help` behind it shows the help where all before it is right, and an error where it is not.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

import yaml

from pushoff import DEADLINE_S, expect, run

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
SECONDS = {"s": 1, "m": 60}
VERIFY = shutil.which("systemd-analyze")


def parses(arguments):
    ended = subprocess.run([os.environ["PUSHOFF"], *arguments, "--help"], capture_output=True, text=True, timeout=DEADLINE_S)
    return ended.returncode == 0, ended.stderr


def understood(arguments):
    known = [re.sub(r"\$[({](\w+)[)}]", "value", argument) for argument in arguments]
    is_right, said = parses(known)
    assert is_right, f"{' '.join(arguments)}: {said}"


def objects(kind=None):
    found = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return [it for it in found if kind is None or it["kind"] == kind]


def pods():
    return [it["spec"]["template"]["spec"] for it in objects() if "template" in it.get("spec", {})]


def containers():
    return [container for pod in pods() for container in pod["containers"]]


def ours():
    return [container for container in containers() if container["image"].startswith("pushoff")]


def every_command_of_the_manifest_is_understood():
    for container in ours():
        understood(container["args"])
    expect(sorted(container["args"][0] for container in ours()), ["agent", "run", "serve"])
    assert not parses(["serve", "--no-such-flag"])[0], "a wrong flag passes"


def every_variable_of_a_command_is_set():
    for container in ours():
        used = set(re.findall(r"\$\((\w+)\)", " ".join(container["args"])))
        expect(used - {it["name"] for it in container.get("env", [])}, set())


def every_unit_is_understood():
    for unit in sorted((DEPLOY / "systemd").glob("*.service")):
        started = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M).group(1)
        binary, *arguments = shlex.split(started)
        expect(binary, "/usr/local/bin/pushoff")
        understood(arguments)


def every_unit_is_one_to_systemd():
    units = [str(unit) for unit in (DEPLOY / "systemd").glob("*.service")]
    said = subprocess.run([VERIFY, "verify", *units], capture_output=True, text=True, timeout=DEADLINE_S).stderr
    # That the binary is not installed where a unit expects it is no fault of the unit.
    expect([line for line in said.splitlines() if "is not executable" not in line and "pushoff" in line], [])


def every_container_is_bounded_in_memory_and_every_server_is_probed():
    for container in containers():
        assert "memory" in container["resources"]["limits"], container["name"]
    for container in ours():
        if container["args"][0] == "serve":
            ports = {port["name"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe"):
                assert container[probe]["httpGet"]["port"] in ports, probe


def a_server_has_time_to_end():
    for pod in pods():
        for container in pod["containers"]:
            times = [re.fullmatch(r"--(?:grace|drain)=(\d+)([sm])", it) for it in container.get("args", [])]
            seconds = [int(time[1]) * SECONDS[time[2]] for time in times if time]
            if seconds:
                before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                assert pod["terminationGracePeriodSeconds"] > sum(seconds) + before, container["name"]


def every_selector_finds_its_pods():
    labels = [tuple(it["spec"]["template"]["metadata"]["labels"].items()) for it in objects() if "template" in it.get("spec", {})]
    for service in objects("Service"):
        assert tuple(service["spec"]["selector"].items()) in labels, service["metadata"]["name"]


run(
    "deploy",
    every_command_of_the_manifest_is_understood,
    every_variable_of_a_command_is_set,
    every_unit_is_understood,
    *([every_unit_is_one_to_systemd] if VERIFY else []),
    every_container_is_bounded_in_memory_and_every_server_is_probed,
    a_server_has_time_to_end,
    every_selector_finds_its_pods,
)
if VERIFY is None:
    print("SKIPPED deploy: every unit is one to systemd: there is no systemd-analyze (apt-get install systemd)", flush=True)
