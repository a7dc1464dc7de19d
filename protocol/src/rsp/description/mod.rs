//! Target descriptions: which registers there are (GDB manual, appendix "Target Descriptions").
