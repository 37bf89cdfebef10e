"""How the server of a source is reached: what every integration lets its users set, whatever its parameters."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Connection(BaseModel):
    """TLS, proxy and limits of the requests of one source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verify_tls: bool = Field(True, title="Verify TLS", description="Refuse a certificate that is not trusted")
    ca_certificate: str = Field(
        "",
        title="CA certificate",
        max_length=100_000,
        description="Certificate of your own authority, to trust besides the known ones: as PEM text, or the path of a "
        "file where the bot runs",
    )
    proxy: str = Field(
        "",
        max_length=500,
        description="HTTP proxy to go through, such as http://proxy.lan:3128; may hold ${secret:name}",
    )
    max_mebibytes: int = Field(
        5, ge=1, le=64, title="Largest answer (MiB)", description="No answer may be larger than this"
    )
