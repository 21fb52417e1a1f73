"""What is guessed of an event: fraud, whether to try a failure again, and churn."""
