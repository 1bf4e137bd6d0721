"""Pix2Seq-D, the network and its inference; the only torch outside `training`."""
