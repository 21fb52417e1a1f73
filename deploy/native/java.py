"""Java programs: jars of Maven Central in the cache, and the Java that runs them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.native.fetch import Installed, cached, run
from deploy.native.place import StackError

JAVA_AT_LEAST = 17
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


def java() -> str:
    """The Java of JAVA_HOME, or else of the PATH.

    Raises:
        StackError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None or _version(found) < JAVA_AT_LEAST:
        raise StackError(
            f"Java is missing or too old: install Java {JAVA_AT_LEAST} or newer "
            "(Debian and Ubuntu: sudo apt-get install openjdk-17-jre-headless), "
            "and see to JAVA_HOME."
        )
    return found


def maven_jars(name: str, version: str, *artifacts: str) -> Installed:
    """Jars with all that they need to run, fetched from Maven Central.

    Args:
        name: of the folder that keeps them.
        version: of the program.
        artifacts: as group:artifact:version.

    Raises:
        StackError: they can't be fetched, or there is no Maven.
    """

    def fetch(folder: Path) -> None:
        maven = shutil.which("mvn")
        if maven is None:
            raise StackError(
                "Maven is missing: install Maven 3 (Debian and Ubuntu: sudo apt-get install maven)."
            )
        project = folder.with_name(f"{name}.pom.xml")
        project.write_text(_project(name, artifacts))
        command = [maven, "--batch-mode", "--quiet", f"--file={project}", _COPY]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        run(f"{name} {version}: fetching it from Maven Central", command)
        project.unlink()

    return Installed(cached(f"{name}-{version}", fetch), version)


def _project(name: str, artifacts: tuple[str, ...]) -> str:
    dependencies = ""
    for artifact in artifacts:
        group, title, version = artifact.split(":")
        dependencies += (
            f"<dependency><groupId>{group}</groupId><artifactId>{title}</artifactId>"
            f"<version>{version}</version></dependency>\n"
        )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>\n'
        f"<groupId>clearhouse</groupId><artifactId>{name}</artifactId><version>1</version>\n"
        f"<dependencies>\n{dependencies}</dependencies></project>\n"
    )


def _version(program: str) -> int:
    done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0
