"""Connecting a learning platform: invitations, dynamic registration, changes a human activates.

1EdTech Dynamic Registration 1.0. The pages of the operator are not here (`lti_tool.operator`).
"""
