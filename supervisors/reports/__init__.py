"""Reports: what happened in a window, as a table, a chart, a file and JSON."""
