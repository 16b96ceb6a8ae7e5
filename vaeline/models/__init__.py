"""The one model and the parts it is composed of, with sampling, the aggregate posterior and likelihood estimation."""
