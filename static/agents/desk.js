// The desk's script.
