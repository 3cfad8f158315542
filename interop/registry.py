"""The clients of the matrix, in the order of its columns."""

from interop import jaxws, zeep_client

CLIENTS = (*jaxws.CLIENTS, zeep_client.CLIENT)
