"""Dockerfile and docker-compose.yml: no engine is needed to see that they fit the product."""

import re
import shlex
import subprocess
import tomllib

import pytest

from config.environment import READ
from dev.waiting import until
from messaging.claim import LEASE
from tests.compose import PRODUCT, ROOT, SERVICES, command, start_of
from tests.start import refusal, required
from workers.app import LONGEST_TASK

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
OF_THE_SERVERS = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
"""What is not for us to read by these names, but for Postgres's and Valkey's images."""


def lines(word: str) -> list[str]:
    """What follows each of one instruction of the Dockerfile."""
    return [line.removeprefix(word).strip() for line in DOCKERFILE if line.startswith(f"{word} ")]


def copied() -> set[str]:
    """What the Dockerfile copies from this folder."""
    own = [shlex.split(line)[:-1] for line in lines("COPY") if not line.startswith("--from")]
    return {source for sources in own for source in sources}


# -- settings -------------------------------------------------------------------------------------


def test_every_variable_is_one_that_somebody_reads():
    named = set(re.findall(r"\$\{(\w+)", COMPOSE))
    assert named - OF_THE_SERVERS <= set(READ)
    for service in PRODUCT:
        assert set(SERVICES[service]["environment"]) <= set(READ)
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert required() & named | OF_THE_SERVERS <= set(example) <= named


def test_the_product_gets_all_it_needs_and_starts_with_it():
    given = dict.fromkeys(re.findall(r"\$\{(\w+)", COMPOSE), "")
    given |= {
        "SECRET_KEY": "k" * 32,
        "ALLOWED_HOSTS": "a.example",
        "PUBLIC_URL": "https://a.example",
        "TWILIO_ACCOUNTS": f"AC{'0' * 32}=token",
        "POSTGRES_PASSWORD": "word",
        "REDIS_PASSWORD": "word",
    }
    for service in PRODUCT:
        environ = {
            name: filled_in(value, given)
            for name, value in SERVICES[service]["environment"].items()
        }
        assert required() <= set(environ)
        assert refusal(environ) == ""


def filled_in(text: str, given: dict[str, str]) -> str:
    """As Compose does: ${NAME}, ${NAME:-default}, ${NAME:?what it says if there is none}."""
    return re.sub(
        r"\$\{(\w+)(?::([-?])([^}]*))?\}",
        lambda found: given[found[1]] or (found[3] if found[2] == "-" else ""),
        text,
    )


def test_a_missing_variable_stops_compose_with_what_to_do():
    needed = required() - {"DATABASE_URL", "REDIS_URL"} | OF_THE_SERVERS
    for name in needed:
        assert re.search(rf"\${{{name}:\?Set it to .+\.}}", COMPOSE), name


def test_no_secret_is_written_down():
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "TWILIO_ACCOUNTS"):
        assert f"\n{name}=\n" in (ROOT / ".env.example").read_text()
        assert not re.search(rf"\${{{name}:-", COMPOSE)
    assert not any(name in line for line in lines("ENV") + lines("ARG") for name in READ)


# -- commands -------------------------------------------------------------------------------------


def test_the_readme_gives_the_commands_that_are_run():
    readme = (ROOT / "README.md").read_text()
    blocks = " ".join("\n".join(re.findall(r"```.*?\n(.*?)```", readme, re.DOTALL)).split())
    for service in PRODUCT:
        assert " ".join(command(service)) in blocks, service


@pytest.mark.processes
def test_the_commands_run(world):
    """Each as it stands, its health check too, but for the port and the names of the workers."""
    migrate = world.run(*command("migrate"))
    workers = [world.start_worker(queue) for queue in ("routine", "urgent")]
    beat, web = world.start_beat(), world.start_web()
    for said in (
        "No migrations to apply",
        "Task workers.tasks.send_routine[",
        "Task workers.tasks.send_urgent[",
    ):
        until(lambda said=said: said in world.logs(), 60, f"somebody says {said}")
    assert migrate.wait(10) == 0
    checks = {
        "web": {"8000": str(world.web_port)},
        "worker": {"celery@$(hostname)": "routine1@test"},
        "beat": {"/proc/1/": f"/proc/{beat.pid}/"},
    }
    for service, exchange in checks.items():
        assert healthy(world, service, exchange), service
    for process in (beat, *workers, web):
        assert process.stop(seconds=20) == 0, world.logs()
    for service, exchange in checks.items():
        assert not healthy(world, service, exchange | {"--timeout 5": "--timeout 1"}), service


def healthy(world, service: str, exchange: dict[str, str]) -> bool:
    """Whether a service's health check succeeds here, with some words of it exchanged."""
    how, *test = SERVICES[service]["healthcheck"]["test"]
    here = {"$$": "$", "celery --app": f"{shlex.join(start_of('celery'))} --app"} | exchange
    for before, after in here.items():
        test = [word.replace(before, after) for word in test]
    argv = [*start_of(test[0]), *test[1:]] if how == "CMD" else ["/bin/sh", "-c", *test]
    return subprocess.run(argv, env=world.environment(), check=False, cwd=ROOT).returncode == 0


def test_a_stop_waits_longer_than_any_task_and_any_lease():
    for service in PRODUCT:
        assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) > LONGEST_TASK > LEASE


def test_migrations_come_first_and_all_is_watched():
    for service in PRODUCT:
        needs = SERVICES[service]["depends_on"]
        if service == "migrate":
            assert needs == {"postgres": {"condition": "service_healthy"}}
        else:
            assert needs["migrate"] == {"condition": "service_completed_successfully"}
    for name, service in SERVICES.items():
        assert (name == "migrate") == ("healthcheck" not in service), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


# -- walls ----------------------------------------------------------------------------------------


def test_no_service_is_root_or_can_become_it():
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert not {"privileged", "cap_add", "pid", "network_mode"} & set(service), name
    assert lines("USER") == [SERVICES["web"]["user"]]
    for service in PRODUCT:
        assert SERVICES[service]["user"] == lines("USER")[0]


def test_nothing_but_web_is_published_and_that_to_a_proxy_on_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}
    for name in ("postgres", "redis", "beat", "migrate"):
        assert SERVICES[name]["networks"] == ["inner"]


def test_no_docker_socket_and_no_folder_of_the_host():
    mounts = {
        name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service
    }
    assert mounts == {"postgres": ["postgres:/var/lib/postgresql"]}


# -- the image ------------------------------------------------------------------------------------


def test_the_image_has_a_python_that_the_product_takes():
    [python] = [line.removeprefix("PYTHON=") for line in lines("ARG")]
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert [int(part) for part in python.split(".")] >= [
        int(part) for part in least.removeprefix(">=").split(".")
    ]
    assert all(line.split()[0] == "python:${PYTHON}-slim" for line in lines("FROM"))


def test_the_image_holds_the_product_and_nothing_else():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    product = set(contracts["root_packages"]) - {"dev"}
    assert copied() == product | {"manage.py", "requirements.txt", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied())


def test_what_is_sent_to_the_engine_is_what_is_copied():
    ignored = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied()


def test_dependencies_are_locked_wheels():
    [install] = [line for line in lines("RUN") if "pip install" in line]
    assert {"--require-hashes", "--only-binary=:all:"} <= set(install.split())
    assert install.endswith("-r /tmp/requirements.txt")
    assert "COPY requirements.txt /tmp/" in DOCKERFILE
