"""Training of Pix2Seq-D from a COCO panoptic folder or a project."""
