"""The document and its files: maps, edits, images, the project store, COCO; no torch, no Qt."""
