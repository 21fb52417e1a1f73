"""A log on Kafka: topics of a cluster, read by consumer groups and written in transactions."""
