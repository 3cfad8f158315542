"""The clients of the matrix, in the order of its columns."""

from interop import jaxws, mono, node, php, suds_client, zeep_client

CLIENTS = (*jaxws.CLIENTS, *mono.CLIENTS, zeep_client.CLIENT, suds_client.CLIENT, php.CLIENT, node.CLIENT)
