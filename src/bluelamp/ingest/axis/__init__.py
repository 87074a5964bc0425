"""The content destination of Axis body-worn systems: the subset of OpenStack Swift that their controllers speak.

A recording there is a container, each of its clips an object; bookmarks, tracks and wrapped keys are objects beside
them, in any order. Here each clip becomes a recording of its own, and the clips of one container one incident.
What is spoken: docs/protocols/axis.md.
"""
