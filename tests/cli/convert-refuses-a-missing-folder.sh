# A folder that is not there is named, nothing is written, and the exit status says why.
status=0
hf2mlx convert ./no-such-model out || status=$?
test ! -e out
exit $status
