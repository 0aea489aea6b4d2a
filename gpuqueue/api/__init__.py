"""The front end: JSON-RPC and a few pages over HTTP. It submits jobs and loads no GPU library."""
