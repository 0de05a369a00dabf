"""What has to be so before the first panic of pycrdt's Rust core."""

from __future__ import annotations

import os

# Rust reads this once; with backtraces each panic loads some fifty megabytes of symbols, which is no leak of ours.
os.environ["RUST_BACKTRACE"] = "0"
