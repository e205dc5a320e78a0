"""What is timed and trained, side by side with its peers."""
