"""The clients of the matrix, in the order of its columns."""

from interop import jaxws, mono, zeep_client

CLIENTS = (*jaxws.CLIENTS, *mono.CLIENTS, zeep_client.CLIENT)
