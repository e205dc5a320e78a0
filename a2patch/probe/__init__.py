"""The program that tries a patched package under the tree's own interpreter.

It is run as a folder, `python <this folder> <request.json>`, and writes one JSON document a line to the file that the
request names. It is the only code of the project that imports torch or ultralytics, it imports nothing else of the
project but `a2patch.graph` and `a2patch.protocol`, and it runs on Python 3.8.
"""
