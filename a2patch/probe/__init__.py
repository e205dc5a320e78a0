"""The program that tries a patched package under the tree's own interpreter.

It is run as a folder, `python <this folder> <request.json>`, and tells what it finds as events, a line each, in a file
beside the request. It is the only code of the project that imports torch or ultralytics; of the project it imports
nothing else but `graph` and `protocol`. It runs on Python 3.8.
"""
