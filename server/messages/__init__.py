"""Every message that clients and server exchange, as pydantic models.

The TypeScript types of the browser client and the message tables of ``docs/protocol.md`` are generated
from these models (``make generate``), and a test fails when they are stale.
"""
