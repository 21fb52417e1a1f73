"""`python -m clearhouse.gl.service`: the service as the settings say."""

from clearhouse.gl.service.run import prepare, serve
from clearhouse.settings import load_settings

if __name__ == "__main__":
    prepare(load_settings())
    serve("127.0.0.1", 8000, 1)
