"""The Gateway API's kinds. Documents in, defaults and field errors out; nothing is stored or interpreted."""
