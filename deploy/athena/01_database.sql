CREATE DATABASE IF NOT EXISTS clearhouse_retail COMMENT 'Retail sales that Clearhouse exported';
