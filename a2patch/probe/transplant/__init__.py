"""Trained weights carried from one model into another, and the proof that nothing else changed."""
