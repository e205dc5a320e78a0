"""Trained weights carried from one model into another, and the proof that nothing else changed.

This imports `models`, `runtime`, `events`, and `a2patch.graph`.
"""
