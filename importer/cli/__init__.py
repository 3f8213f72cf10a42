"""The command line: options in, a workflow call, rendering out. The only place that prints."""
