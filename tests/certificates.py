"""Certificates of authorities that nobody else knows."""

from __future__ import annotations

from pathlib import Path

import trustme


def write_certificates(folder: Path) -> None:
    """Write ca.pem, server.pem and server.key for localhost, client.pem with its key, stranger.pem with its."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = authority.issue_cert("localhost")
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    for blob in server.cert_chain_pems:
        blob.write_to_path(str(folder / "server.pem"), append=True)
    client = authority.issue_cert("client@example.org", common_name="billing")
    client.private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    stranger = trustme.CA().issue_cert("client@example.org")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(folder / "stranger.pem"))
