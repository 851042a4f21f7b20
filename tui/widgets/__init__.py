"""What the screens are made of. What is drawn is data first (`ink.py`): pure functions make lines, `canvas.py` paints them."""
