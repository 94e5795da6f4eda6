"""Results on their way to other systems: wanted by an occasion, claimed, sent or given up.

A row is written in the transaction of its occasion (a score, a heat map, a verdict), so none is
lost and none is invented. It is sent at least once; the UIDs of what is sent are made from what it
says, so that twice is once.
"""
