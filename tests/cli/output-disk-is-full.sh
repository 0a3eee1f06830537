# A result that cannot be written is a failure.
if [ -c /dev/full ]; then
  status=0
  hf2mlx archs > /dev/full 2> err || status=$?
  test $status = 7
  grep -q 'standard output' err
fi
