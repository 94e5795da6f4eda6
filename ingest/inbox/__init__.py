"""The drop folder: files are found, claimed, unpacked, stored and delivered."""
