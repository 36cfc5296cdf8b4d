"""Archives copied under their keys, with an index beside them, for machines that ask here and not the public bucket."""
