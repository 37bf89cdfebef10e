"""Install the real programs that tests talk to, and run exactly those tests: `make test-services`.

With --install-only nothing is run. Programs come from the system's packages where apt-get is there and this is root or
may become it by sudo, and from PyPI into an environment of their own. They are not started as services, now or at boot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.services import PACKAGES, PYTHON_PACKAGES, SERVICES_ENVIRONMENT, installed

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program whether a package that is installed may start its service; 101 means no."""


def main() -> None:
    """Install what is missing, say what could not be, and run the tests."""
    install()
    missing = sorted(program for program in {**PACKAGES, **PYTHON_PACKAGES} if not installed(program))
    if missing:
        print(f"Not installed, their tests are skipped: {', '.join(missing)}")
    if "--install-only" not in sys.argv:
        raise SystemExit(subprocess.call([sys.executable, "-m", "pytest", "-m", "service", *sys.argv[1:]]))


def install() -> None:
    """Install what is missing, as far as that is possible here."""
    packages = sorted({package for program, package in PACKAGES.items() if not installed(program)})
    if packages:
        install_packages(packages)
    wanted = [package for program, package in PYTHON_PACKAGES.items() if not installed(program)]
    if wanted:
        python = SERVICES_ENVIRONMENT / "bin" / "python"
        uv = os.environ.get("UV", "uv")  # `uv run` tells where it is
        if not python.exists():
            run(uv, "venv", "--quiet", "--python", sys.executable, str(SERVICES_ENVIRONMENT))
        run(uv, "pip", "install", "--quiet", "--python", str(python), *wanted)


def install_packages(packages: list[str]) -> None:
    """Install packages of Debian or Ubuntu without starting their services."""
    root = [] if os.getuid() == 0 else ["sudo"]
    if not shutil.which("apt-get") or (root and not shutil.which("sudo")):
        print("This needs apt-get, as root or with sudo. Elsewhere, install these yourself and run this again:")
        print(f"  {', '.join(packages)} (as Debian calls them)")
        return
    print(f"Installing {' '.join(packages)}")
    enabled_before = set(enabled_units())
    with tempfile.NamedTemporaryFile("w", prefix="policy-rc.d") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
        policy.flush()
        added = not POLICY.exists() and run(*root, "install", "-m", "755", policy.name, str(POLICY))
        try:
            quiet = ["-y", "-qq", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends"]
            run(*root, "apt-get", "update", "-qq")
            install = (*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *quiet)
            if not run(*install, *packages):
                for package in packages:  # a release may lack one of them, and then none is installed
                    run(*install, package)
        finally:
            if added:
                run(*root, "rm", "-f", str(POLICY))
    new_units = sorted(set(enabled_units()) - enabled_before)
    if new_units:
        run(*root, "systemctl", "disable", "--now", "--quiet", *new_units)


def enabled_units() -> list[str]:
    """Return the services that systemd starts at boot; none where there is no systemd."""
    if not Path("/run/systemd/system").exists():
        return []
    command = ["systemctl", "list-unit-files", "--type=service,socket,timer", "--state=enabled"]
    command += ["--no-legend", "--plain"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def run(*command: str) -> bool:
    """Run a command; what it cannot do shows in what is missing afterwards. True when it worked."""
    try:
        done = subprocess.run(command, check=False)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}")
        return False
    if done.returncode:
        print(f"This failed: {' '.join(command)}")
    return done.returncode == 0


if __name__ == "__main__":
    main()
