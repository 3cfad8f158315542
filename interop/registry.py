"""The clients of the matrix, in the order of its columns."""

from interop import axis2, gsoap, jaxws, mono, node, php, spring, suds_client, zeep_client

CLIENTS = (
    *jaxws.CLIENTS,
    *axis2.CLIENTS,
    spring.CLIENT,
    *mono.CLIENTS,
    gsoap.CLIENT,
    zeep_client.CLIENT,
    suds_client.CLIENT,
    php.CLIENT,
    node.CLIENT,
)
