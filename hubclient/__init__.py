"""A client for hubs of pretrained text classifiers that are described by model cards."""
