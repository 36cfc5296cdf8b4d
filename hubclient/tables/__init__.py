"""Files of texts, answered by models into files: bounded memory, a few rows at a time, taken up again where a killed run left off."""
