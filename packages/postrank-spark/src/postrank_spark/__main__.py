from postrank_spark.cli import main

main()
