"""IstioOperator, what an installation consists of. Documents in, field errors out; nothing is installed."""
