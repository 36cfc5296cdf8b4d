"""The Models Hub page: a small web application on one's own machine, and the same catalogue as files to host anywhere."""
