"""From what an origin has to the native form, in a staging folder."""
