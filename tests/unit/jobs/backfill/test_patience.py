"""Ray on a machine that is busy."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from jobs.backfill.patience import _PORTS, free_ports, patient


class Services:
    """Ray's own module, on a machine that is busy: its node is there at the so many-th look only."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.ports: dict[str, int] = {}

    def get_node(self, address: str, node_id: str) -> str:
        self.looks -= 1
        if self.looks > 0:
            raise RuntimeError("no node yet")
        return f"{address} {node_id}"

    def start_raylet(self, name: str, **ports: int) -> str:
        self.ports = ports
        return self.start_ray_process([name], "raylet")

    def start_ray_process(self, command: list[str], process_type: str) -> str:
        return " ".join((process_type, *command))


def test_the_node_is_looked_for_until_it_is_there() -> None:
    busy = Services(3)
    with patient(busy, seconds=60):
        assert busy.get_node("address", "id") == "address id"
    assert busy.looks == 0
    assert busy.get_node.__func__ is Services.get_node  # Ray's own again


def test_no_node_in_that_time_is_rays_own_error() -> None:
    never = Services(1 << 30)
    with patient(never, seconds=0.1), pytest.raises(RuntimeError, match="no node yet"):
        never.get_node("address", "id")


def test_the_ports_of_the_agents_are_chosen_where_nobody_did() -> None:
    busy = Services(1)
    with patient(busy):
        told = busy.start_raylet("command", metrics_agent_port=7, runtime_env_agent_port=0, other=9)
    listen = busy.ports["dashboard_agent_listen_port"]
    assert told == f"raylet command --dashboard_agent_listen_port={listen}"
    assert busy.start_ray_process(["command"], "raylet") == "raylet command"
    assert busy.ports["metrics_agent_port"] == 7
    assert busy.ports["other"] == 9
    assert all(busy.ports[name] > 0 for name in _PORTS)
    assert len(set(free_ports(4))) == 4


def test_ray_has_what_is_changed_of_it() -> None:
    """A version of Ray that names these otherwise is to be noticed here."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    # In a process of its own: what imports Ray has packages of Ray's own on its path from then on.
    code = (
        "import inspect, json, ray._private.services as s; "
        "print(json.dumps([list(inspect.signature(f).parameters) "
        "for f in (s.start_raylet, s.start_ray_process, s.get_node)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    start_raylet, start_ray_process, get_node = json.loads(done.stdout)
    assert set(_PORTS) <= set(start_raylet)
    assert start_ray_process[0] == "command"
    assert get_node == ["gcs_address", "node_id"]
