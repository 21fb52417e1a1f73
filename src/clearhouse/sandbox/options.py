"""Options of the default source, under the names that commands and tests use."""

from clearhouse.sandbox.faults import faults_as_text, faults_from_text
from clearhouse.sandbox.simtom.options import SimtomOptions as SandboxOptions
from clearhouse.sandbox.source import SandboxError

__all__ = ["SandboxError", "SandboxOptions", "faults_as_text", "faults_from_text"]
