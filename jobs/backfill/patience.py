"""A Ray that comes up on a busy machine too.

Ray gives its own processes, five of them Python, fixed times to come up: 15 s until each port of its agents
is known, 30 s until the node is (ray-project/ray, issues 62883 and 65983). Where they take longer its raylet
aborts, the rest is left behind, and each further start makes the machine busier. So the ports are chosen
here, which leaves nothing to wait for, and the node is looked for until it is there.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

SECONDS = 300.0  # for Ray's processes to come up; alone they take nine
ENVIRONMENT = {
    "RAY_agent_register_timeout_ms": str(int(SECONDS * 1000)),
    "RAY_worker_register_timeout_seconds": str(int(SECONDS)),
}
_LOOK = 0.2  # seconds between two looks
_LISTEN = "dashboard_agent_listen_port"
_PORTS = ("metrics_agent_port", "metrics_export_port", "runtime_env_agent_port", _LISTEN)


@contextmanager
def patient(services: Any, seconds: float = SECONDS) -> Iterator[None]:
    """Starts of Ray in this block choose the ports of its agents and look for its node for so long.

    Args:
        services: the module `ray._private.services`.
        seconds: how long.
    """
    look, start, run = services.get_node, services.start_raylet, services.start_ray_process

    @wraps(look)
    def get_node(*arguments: Any, **named: Any) -> Any:
        end = time.monotonic() + seconds
        while True:
            try:
                return look(*arguments, **named)
            except RuntimeError:  # not there yet
                if time.monotonic() > end:
                    raise
                time.sleep(_LOOK)

    @wraps(start)
    def start_raylet(*arguments: Any, **named: Any) -> Any:
        chosen = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        named |= {name: named.get(name) or port for name, port in chosen.items()}
        unsaid = f"--{_LISTEN}={named[_LISTEN]}"  # Ray tells its agent alone

        @wraps(run)
        def start_ray_process(command: list[str], *others: Any, **more: Any) -> Any:
            return run([*command, unsaid], *others, **more)

        services.start_ray_process = start_ray_process
        try:
            return start(*arguments, **named)
        finally:
            services.start_ray_process = run

    services.get_node, services.start_raylet = get_node, start_raylet
    try:
        yield
    finally:
        services.get_node, services.start_raylet = look, start


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, no two the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]
