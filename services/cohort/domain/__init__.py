"""What may happen to cohort queries and searches. Pure: clock and surroundings are passed in."""
