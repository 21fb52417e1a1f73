import sys
from pathlib import Path

# The tiny warehouse of the models' own tests.
sys.path.append(str(Path(__file__).parents[1] / "unit" / "engines"))
